// Package machine describes where a comparison was made.
package machine

// Machine is the part of a machine that figures depend on.
type Machine struct {
	CPU    string // the model
	CPUs   int    // those that this process may use
	Memory int64  // bytes
	Kernel string
	Go     string
	Load   string // the load average before the run
}
