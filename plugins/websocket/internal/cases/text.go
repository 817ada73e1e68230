package cases

import "fmt"

// κόσμε, the word that the suite is fond of.
const kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

func text() []Case {
	all := []Case{
		message("6.1.1", "empty text", Text, nil),
		{ID: "6.1.2", Name: "three empty fragments", In: join(frame(Text, nil), frame(0, nil), frame(fin, nil)), Events: []Event{{Text, nil}}},
		{
			ID: "6.1.3", Name: "three fragments, text in the second", In: join(frame(Text, nil), frame(0, []byte("middle")), frame(fin, nil)),
			Events: []Event{{Text, []byte("middle")}},
		},
		message("6.2.1", "text in one frame", Text, []byte("Hello-µ@ßöäüàá-UTF-8!!")),
		{
			ID: "6.2.3", Name: "text byte by byte", In: fragments(Text, []byte("Hello-µ@ßöäüàá-UTF-8!!"), 1),
			Events: []Event{{Text, []byte("Hello-µ@ßöäüàá-UTF-8!!")}},
		},
		{ID: "6.2.4", Name: "text cut within characters", In: fragments(Text, []byte(kosme), 1), Events: []Event{{Text, []byte(kosme)}}},
		{ID: "6.3.1", Name: "a surrogate within text", In: frame(fin|Text, []byte(kosme+"\xed\xa0\x80edited")), Fails: 1007},
		{ID: "6.3.2", Name: "the same byte by byte", In: fragments(Text, []byte(kosme+"\xed\xa0\x80edited"), 1), Fails: 1007},
	}
	return append(append(all, failFast()...), texts()...)
}

// failFast are texts that are not complete, but can't be valid any more.
func failFast() (all []Case) {
	for i, bad := range []string{"\xf4\x90", "\xed\xa0", "\xc0", "\xf0\x8f", "\xe0\x9f", "\xff", "a\x80", "\xe1\xbd\x41", "\xf5"} {
		start := []byte(kosme + bad)
		all = append(all,
			Case{ID: fmt.Sprintf("6.4.%d", i+1), Name: fmt.Sprintf("fragment that ends in % x", bad), In: frame(Text, start), Fails: 1007},
			Case{
				ID: fmt.Sprintf("x6.4.%d", i+1), Name: fmt.Sprintf("frame that is cut after % x", bad),
				In: frame(fin|Text, append(start, kosme...))[:6+len(start)], Fails: 1007,
			})
	}
	return all
}

// texts are tried whole and in frames of one byte. It is long because it is a table.
func texts() (all []Case) {
	for _, t := range []struct {
		id, text string
		valid    bool
	}{
		{"6.5.1", kosme, true},
		{"6.6.1", "\xce", false},
		{"6.6.2", "\xce\xba", true},
		{"6.6.3", "\xce\xba\xe1", false},
		{"6.6.4", "\xce\xba\xe1\xbd", false},
		{"6.6.5", "\xce\xba\xe1\xbd\xb9", true},
		{"6.6.6", "\xce\xba\xe1\xbd\xb9\xcf", false},
		{"6.7.1", "\x00", true},
		{"6.7.2", "\xc2\x80", true},
		{"6.7.3", "\xe0\xa0\x80", true},
		{"6.7.4", "\xf0\x90\x80\x80", true},
		{"6.8.1", "\xf8\x88\x80\x80\x80", false},
		{"6.8.2", "\xfc\x84\x80\x80\x80\x80", false},
		{"6.9.1", "\x7f", true},
		{"6.9.2", "\xdf\xbf", true},
		{"6.9.3", "\xef\xbf\xbf", true},
		{"6.9.4", "\xf4\x8f\xbf\xbf", true},
		{"6.10.1", "\xf7\xbf\xbf\xbf", false},
		{"6.10.2", "\xfb\xbf\xbf\xbf\xbf", false},
		{"6.10.3", "\xfd\xbf\xbf\xbf\xbf\xbf", false},
		{"6.11.1", "\xed\x9f\xbf", true},
		{"6.11.2", "\xee\x80\x80", true},
		{"6.11.3", "\xef\xbf\xbd", true},
		{"6.11.4", "\xf4\x8f\xbf\xbf", true},
		{"6.11.5", "\xf4\x90\x80\x80", false},
		{"6.12.1", "\x80", false},
		{"6.12.2", "\xbf", false},
		{"6.12.3", "\x80\xbf", false},
		{"6.12.8", "\x80\xbf\x80\xbf\x80\xbf\xbe", false},
		{"6.13.1", "\xc0 \xc1 \xc2 \xdf ", false},
		{"6.13.2", "\xe0 \xe1 \xef ", false},
		{"6.13.3", "\xf0 \xf1 \xf7 ", false},
		{"6.13.4", "\xf8 \xfb ", false},
		{"6.13.5", "\xfc \xfd ", false},
		{"6.14.1", "\xc0", false},
		{"6.14.2", "\xe0\x80", false},
		{"6.14.3", "\xf0\x80\x80", false},
		{"6.14.6", "\xdf", false},
		{"6.14.7", "\xef\xbf", false},
		{"6.14.8", "\xf7\xbf\xbf", false},
		{"6.16.1", "\xfe", false},
		{"6.16.2", "\xff", false},
		{"6.16.3", "\xfe\xfe\xff\xff", false},
		{"6.17.1", "\xc0\xaf", false},
		{"6.17.2", "\xe0\x80\xaf", false},
		{"6.17.3", "\xf0\x80\x80\xaf", false},
		{"6.18.1", "\xc1\xbf", false},
		{"6.18.2", "\xe0\x9f\xbf", false},
		{"6.18.3", "\xf0\x8f\xbf\xbf", false},
		{"6.19.1", "\xc0\x80", false},
		{"6.19.2", "\xe0\x80\x80", false},
		{"6.20.1", "\xed\xa0\x80", false},
		{"6.20.4", "\xed\xaf\xbf", false},
		{"6.20.5", "\xed\xb0\x80", false},
		{"6.20.7", "\xed\xbf\xbf", false},
		{"6.21.1", "\xed\xa0\x80\xed\xb0\x80", false},
		{"6.21.8", "\xed\xaf\xbf\xed\xbf\xbf", false},
		{"6.22.1", "\xef\xbf\xbe", true},
		{"6.22.2", "\xef\xbf\xbf", true},
		{"6.22.3", "\xf0\x9f\xbf\xbe", true},
		{"6.22.34", "\xf4\x8f\xbf\xbf", true},
		{"6.23.1", "\xef\xbf\xbd", true},
		{"x6.1", "eight by eight, with some é in the middle of it and at the end é", true},
		{"x6.2", "eight by eight, with something wrong only at the very end of it\xc3", false},
		{"x6.3", "eight by eight, and something wrong \xc3 in the middle of it, eight", false},
	} {
		for _, size := range []int{1000, 1} {
			c := Case{
				ID: fmt.Sprintf("%s/%d", t.id, size), Name: fmt.Sprintf("text % x in frames of %d", t.text, size),
				In: fragments(Text, []byte(t.text), size),
			}
			if t.valid {
				c.Events = []Event{{Text, []byte(t.text)}}
			} else {
				c.Fails = 1007
			}
			all = append(all, c)
		}
	}
	return all
}
