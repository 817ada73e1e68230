package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time that all threads of a process have used since it was started, those that have ended included.
// The clock is the one of clock_getcpuclockid(3): it counts nanoseconds, where /proc/PID/stat counts ticks.
func CPU(pid int) (time.Duration, error) {
	const schedulerClock = 2 // CPUCLOCK_SCHED in the kernel's posix-timers.h
	return readClock(int32(^pid<<3 | schedulerClock))
}

// OwnCPU is CPU for this process.
func OwnCPU() (time.Duration, error) { return readClock(unix.CLOCK_PROCESS_CPUTIME_ID) }

func readClock(id int32) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(t.Nano()), nil
}

// RSS is the memory of a process that is in RAM, in bytes: VmRSS of proc_pid_status(5). What the kernel holds for its
// sockets is not part of it.
func RSS(pid int) (int64, error) {
	name := fmt.Sprintf("/proc/%d/status", pid)
	status, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if rest, ok := strings.CutPrefix(string(line), "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no VmRSS: the process has ended", name)
}

// Busy is the time that these processors have spent on anything at all since the system was started, as proc_stat(5)
// counts it, in ticks of 10 ms.
func Busy(cpus []int) (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	wanted := make(map[string]bool)
	for _, c := range cpus {
		wanted[fmt.Sprintf("cpu%d", c)] = true
	}
	const idle, iowait, guest = 4, 5, 9 // the columns; those from guest on are part of others
	var ticks int64
	for line := range strings.Lines(string(stat)) {
		fields := strings.Fields(line)
		if len(fields) < guest || !wanted[fields[0]] {
			continue
		}
		for i := 1; i < guest; i++ {
			n, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("/proc/stat: %w", err)
			}
			if i != idle && i != iowait {
				ticks += n
			}
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
