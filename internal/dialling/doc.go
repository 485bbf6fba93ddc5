// Package dialling tests connections that functions of the user make
// (config.DialContext), against real servers.
package dialling
