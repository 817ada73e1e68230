// Package runner measures one server under one load, each in a process and on processors of its own.
package runner
