package ratmom_test

import (
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/config"
)

// Requests through an SSH server, as ssh -W connects.
func ExampleNew_ssh() {
	sshConfig := &ssh.ClientConfig{User: "me"} // and how to know the server, and be known
	gateway, err := ssh.Dial("tcp", "gateway.example:22", sshConfig)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gateway.Close()
	client, err := ratmom.New(config.DialContext(gateway.DialContext))
	if err != nil {
		fmt.Println(err) // ErrUnsupported before libcurl 8.2
		return
	}
	defer client.Close()
	fmt.Println(client.Get("http://intranet.example/"))
}
