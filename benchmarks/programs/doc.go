// Package programs finds the programs of others that some workloads and servers need, and builds weir's own Redis.
package programs
