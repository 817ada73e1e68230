package sock

// OpenBSD has keep-alive times for the whole system only (sysctl(2)).
const (
	keepIdle     = 0
	keepInterval = 0
)
