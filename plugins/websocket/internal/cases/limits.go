package cases

import "fmt"

func limits() (all []Case) {
	large := func(id, name string, kind byte, n, size int) {
		payload := filler(n, kind == Text)
		all = append(all, Case{ID: id, Name: name, Large: true, In: fragments(kind, payload, size), Events: []Event{{kind, payload}}})
	}
	for i, n := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20} {
		large(fmt.Sprintf("9.1.%d", i+1), fmt.Sprintf("text of %d bytes", n), Text, n, n)
		large(fmt.Sprintf("9.2.%d", i+1), fmt.Sprintf("binary of %d bytes", n), Binary, n, n)
	}
	for i, size := range []int{64, 256, 1 << 10, 4 << 10, 64 << 10, 1 << 20} {
		large(fmt.Sprintf("9.3.%d", i+1), fmt.Sprintf("text of 4 MiB in fragments of %d", size), Text, 4<<20, size)
		large(fmt.Sprintf("9.4.%d", i+1), fmt.Sprintf("binary of 4 MiB in fragments of %d", size), Binary, 4<<20, size)
	}
	return all
}
