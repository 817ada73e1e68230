package servers

import "testing"

func TestAll(t *testing.T) {
	names := make(map[string]bool)
	for _, s := range All() {
		if names[s.Name] {
			t.Errorf("two servers are called %s", s.Name)
		}
		names[s.Name] = true
		if s.Name == "" || s.Setup == "" || len(s.Roles) == 0 {
			t.Errorf("%+v: something is missing", s)
		}
		if found, err := Find(s.Name); err != nil || found.Name != s.Name {
			t.Errorf("Find(%q): %v, %v", s.Name, found.Name, err)
		}
		if s.Plays("no role") {
			t.Errorf("%s plays anything", s.Name)
		}
		if err := s.Serve("no role", Config{}); err == nil {
			t.Errorf("%s serves as anything", s.Name)
		}
	}
	if _, err := Find("nobody"); err == nil {
		t.Error("Find finds a server that there is not")
	}
}

func TestServeFails(t *testing.T) {
	s, err := Find("weir")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(Echo, Config{Address: "127.0.0.1:no port", Loops: 1}); err == nil {
		t.Error("no error for an address that is none")
	}
}
