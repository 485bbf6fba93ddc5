/* Calls between shared objects go through a table that the dynamic linker fills, of which each
 * object has its own. An entry that is changed there changes what this object calls, and nobody
 * else: other libraries of the program have what they had. (A function of the same name in the
 * program would be found by all of them, of whatever version they want it.)
 *
 * Only what is there already is replaced: an entry that is filled when it is first needed could be
 * filled once more by a thread that needs it now, and one that has another function is somebody
 * else's. The tables are mostly made read-only when they are filled (RELRO), and are again
 * afterwards. */
#define _GNU_SOURCE
#include "openssl.h"
#include "ratmom.h"

#if RATMOM_BETWEEN_LIBC

#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#define FUNCTION R_X86_64_JUMP_SLOT
#define ADDRESS R_X86_64_GLOB_DAT
#elif defined(__aarch64__)
#define FUNCTION R_AARCH64_JUMP_SLOT
#define ADDRESS R_AARCH64_GLOB_DAT
#endif

#ifdef FUNCTION

struct wish {
    uintptr_t code;
    const char *name;
    uintptr_t real, f;
    int granted, refused;
};

struct table {
    const ElfW(Rela) * entries;
    size_t bytes;
};

static int has(const struct dl_phdr_info *i, uintptr_t code) {
    for (int n = 0; n < i->dlpi_phnum; n++) {
        uintptr_t from = i->dlpi_addr + i->dlpi_phdr[n].p_vaddr;
        if (i->dlpi_phdr[n].p_type == PT_LOAD && code >= from &&
            code < from + i->dlpi_phdr[n].p_memsz)
            return 1;
    }
    return 0;
}

/* Whether the page is one of those that the dynamic linker has made read-only. */
static int sealed(const struct dl_phdr_info *i, uintptr_t page, uintptr_t size) {
    for (int n = 0; n < i->dlpi_phnum; n++) {
        uintptr_t from = i->dlpi_addr + i->dlpi_phdr[n].p_vaddr;
        uintptr_t to = from + i->dlpi_phdr[n].p_memsz;
        if (i->dlpi_phdr[n].p_type == PT_GNU_RELRO && page >= (from & ~(size - 1)) &&
            page + size <= (to & ~(size - 1)))
            return 1;
    }
    return 0;
}

static int set(const struct dl_phdr_info *i, uintptr_t *entry, uintptr_t real, uintptr_t f) {
    uintptr_t now = __atomic_load_n(entry, __ATOMIC_RELAXED);
    if (now != real)
        return now == f; /* it may be in both tables */
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE), page = (uintptr_t)entry & ~(size - 1);
    int seal = sealed(i, page, size);
    if (seal && mprotect((void *)page, size, PROT_READ | PROT_WRITE))
        return 0;
    __atomic_store_n(entry, f, __ATOMIC_RELEASE);
    if (seal)
        (void)mprotect((void *)page, size, PROT_READ);
    return 1;
}

/* glibc has made addresses of them, musl leaves them as they are in the file. */
static uintptr_t address(const struct dl_phdr_info *i, const ElfW(Dyn) * d) {
    return has(i, d->d_un.d_ptr) ? d->d_un.d_ptr : i->dlpi_addr + d->d_un.d_ptr;
}

static void grant(const struct dl_phdr_info *i, const ElfW(Dyn) * d, struct wish *w) {
    struct table tables[2] = {{NULL, 0}, {NULL, 0}};
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    for (; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_SYMTAB:
            symbols = (const void *)address(i, d);
            break;
        case DT_STRTAB:
            names = (const void *)address(i, d);
            break;
        case DT_JMPREL:
            tables[0].entries = (const void *)address(i, d);
            break;
        case DT_PLTRELSZ:
            tables[0].bytes = d->d_un.d_val;
            break;
        case DT_RELA:
            tables[1].entries = (const void *)address(i, d);
            break;
        case DT_RELASZ:
            tables[1].bytes = d->d_un.d_val;
            break;
        }
    }
    for (int t = 0; t < 2; t++) {
        const ElfW(Rela) *r = tables[t].entries;
        for (size_t n = tables[t].bytes / sizeof(*r); r && symbols && names && n--; r++) {
            unsigned type = (unsigned)ELF64_R_TYPE(r->r_info);
            if ((type == FUNCTION || type == ADDRESS) &&
                !strcmp(names + symbols[ELF64_R_SYM(r->r_info)].st_name, w->name)) {
                if (set(i, (void *)(i->dlpi_addr + r->r_offset), w->real, w->f))
                    w->granted = 1;
                else
                    w->refused = 1;
            }
        }
    }
}

static int look(struct dl_phdr_info *i, size_t size, void *p) {
    struct wish *w = p;
    (void)size;
    if (!has(i, w->code))
        return 0;
    for (int n = 0; n < i->dlpi_phnum; n++)
        if (i->dlpi_phdr[n].p_type == PT_DYNAMIC)
            grant(i, (const void *)(i->dlpi_addr + i->dlpi_phdr[n].p_vaddr), w);
    return 1;
}

int ratmom_rebind(const void *code, const char *name, const void *real, const void *f) {
    struct wish w = {(uintptr_t)code, name, (uintptr_t)real, (uintptr_t)f, 0, 0};
    dl_iterate_phdr(look, &w);
    return w.granted && !w.refused;
}

#else
int ratmom_rebind(const void *code, const char *name, const void *real, const void *f) {
    (void)code;
    (void)name;
    (void)real;
    (void)f;
    return 0;
}
#endif
#endif
