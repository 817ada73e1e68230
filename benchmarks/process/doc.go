// Package process starts the programs of a comparison, each on processors of its own, and reads from the operating system
// what they use.
package process
