package http1_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"
)

// behaviours are handlers whose responses must be those that net/http makes of them.
var behaviours = map[string]http.HandlerFunc{
	"nothing": func(http.ResponseWriter, *http.Request) {},
	"short":   func(w http.ResponseWriter, r *http.Request) { put(w, "hello") },
	"html":    func(w http.ResponseWriter, r *http.Request) { put(w, "<!DOCTYPE html><p>hello") },
	"large":   func(w http.ResponseWriter, r *http.Request) { put(w, pattern(100<<10)) },
	"copied":  func(w http.ResponseWriter, r *http.Request) { copyTo(w, strings.NewReader(pattern(100<<10))) },
	"status":  func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201); put(w, "made") },
	"error":   func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusTeapot) },
	"no content": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(204)
		if _, err := fmt.Fprint(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
			panic(err)
		}
	},
	"not modified": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Etag", `"x"`); w.WriteHeader(304) },
	"length": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		put(w, "hello")
		if _, err := fmt.Fprint(w, "!"); !errors.Is(err, http.ErrContentLength) {
			panic(err)
		}
	},
	"length copied": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", itoa(100<<10))
		copyTo(w, strings.NewReader(pattern(100<<10)))
	},
	"flushed": func(w http.ResponseWriter, r *http.Request) {
		put(w, "one ")
		w.(http.Flusher).Flush()
		put(w, "two")
	},
	"flushed at once": func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
	},
	"header": func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-A"] = []string{"1", "2"}
		w.Header()["x-lower"] = []string{"l"}
		w.Header()["Not A Token"] = []string{"x"}
		w.Header().Set("X-Lines", "a\r\nb")
		w.Header().Set("X-Blank", " c ")
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(200)
		w.Header().Set("X-Late", "too")
		put(w, "body")
	},
	"no type":  func(w http.ResponseWriter, r *http.Request) { w.Header()["Content-Type"] = nil; put(w, "x") },
	"encoded":  func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", "x"); put(w, "x") },
	"cookies":  func(w http.ResponseWriter, r *http.Request) { http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"}) },
	"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	"close":    func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Connection", "close"); put(w, "x") },
	"dated": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "long ago")
		w.Header().Set("Server", "other")
	},
	"undated": func(w http.ResponseWriter, r *http.Request) { w.Header()["Date"] = nil },
	"ranges": func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", time.Unix(0, 0), strings.NewReader(pattern(1000)))
	},
	"trailers": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-T, X-U")
		put(w, "body")
		w.Header().Set("X-T", "t")
		w.Header().Set(http.TrailerPrefix+"X-Late", "l")
	},
	"hints": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		put(w, "body")
	},
	"echo": func(w http.ResponseWriter, r *http.Request) { copyTo(w, r.Body) },
	"form": func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseForm()
		put(w, r.Form, err)
	},
	"limited": func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3))
		put(w, err)
	},
}

// seen is a response, with the informational ones before it, as text.
func seen(t *testing.T, url string, r *http.Request) string {
	t.Helper()
	hints := ""
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints += fmt.Sprint(code, h, "\n")
			return nil
		},
	}))
	c := client(t)
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, url, err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	date := len(resp.Header["Date"]) > 0 && resp.Header["Date"][0] != "long ago"
	if date {
		resp.Header.Del("Date")
	}
	return fmt.Sprintln(hints, resp.Status, resp.Proto, resp.Header, resp.ContentLength, resp.TransferEncoding, resp.Close,
		"dated", date, "trailer", resp.Trailer, len(content), clip(string(content)), err)
}

// TestLikeNetHTTP: the same handlers, served by net/http and by a Pool, answer the
// same requests the same way.
func TestLikeNetHTTP(t *testing.T) {
	mux := http.NewServeMux()
	for name, h := range behaviours {
		mux.Handle("/"+strings.ReplaceAll(name, " ", "-"), h)
	}
	theirs := httptest.NewServer(mux)
	defer theirs.Close()
	ours := startPool(t, mux)
	requests := map[string]func(url string) (*http.Request, error){
		"GET":  func(url string) (*http.Request, error) { return http.NewRequest("GET", url+"?a=b", nil) },
		"HEAD": func(url string) (*http.Request, error) { return http.NewRequest("HEAD", url, nil) },
		"POST": func(url string) (*http.Request, error) {
			r, err := http.NewRequest("POST", url, strings.NewReader("c=d&e=f"))
			if err == nil {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return r, err
		},
		"chunked": func(url string) (*http.Request, error) {
			return http.NewRequest("POST", url, io.NopCloser(strings.NewReader("c=d&e=f")))
		},
		"range": func(url string) (*http.Request, error) {
			r, err := http.NewRequest("GET", url, nil)
			if err == nil {
				r.Header.Set("Range", "bytes=10-19,30-")
			}
			return r, err
		},
	}
	for name := range behaviours {
		for kind, make := range requests {
			if name == "ranges" && kind == "range" {
				continue // the boundary is random
			}
			path := "/" + strings.ReplaceAll(name, " ", "-")
			var got [2]string
			for i, url := range []string{theirs.URL, ours.url()} {
				r, err := make(url + path)
				if err != nil {
					t.Fatal(err)
				}
				got[i] = seen(t, url, r)
			}
			if name == "limited" { // http.MaxBytesReader closes the connection, by a method that is private to net/http
				got[0] = strings.Replace(got[0], "[] true dated", "[] false dated", 1)
			}
			if got[0] != got[1] {
				t.Errorf("%s, %s:\n%snet/http:\n%s", name, kind, got[1], got[0])
			}
		}
	}
}

// TestRequestLikeNetHTTP: a handler is given the same http.Request.
func TestRequestLikeNetHTTP(t *testing.T) {
	got := make(chan string, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		header, _ := json.Marshal(r.Header)
		_, local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		got <- fmt.Sprintf("%s %#v %s %d %d %s %v %d %v %s %s trailer %v body %q %v %v local %v remote %v", r.Method, r.URL, r.Proto,
			r.ProtoMajor, r.ProtoMinor, header, r.TransferEncoding, r.ContentLength, r.Close, r.Host, r.RequestURI, r.Trailer, content,
			err, r.Body == http.NoBody, local, host)
	})
	theirs := httptest.NewServer(h)
	defer theirs.Close()
	ours := startPool(t, h)
	for _, request := range []string{
		get("/a%20b?c=d#"[:9], "Accept: x", "accept: y", "X-Empty:", "Cookie: a=b"),
		get("/", "Connection: close"),
		"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
		"GET http://Other:80/p?q HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET http://other HTTP/1.1\r\nHost: h\r\n\r\n",
		get("//a/../b"),
		request("POST", "/", "hello"),
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T, x-u\r\n\r\n5\r\nhello\r\n0\r\nX-T: t\r\nX-V: v\r\n\r\n",
		request("POST", "/", "hello", "Trailer: X-T", "Expect:"),
		"M-SEARCH /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
	} {
		var list []string
		for _, addr := range []string{theirs.Listener.Addr().String(), ours.Addrs()[0].String()} {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			list = append(list, receive(t, got))
			_ = c.Close()
		}
		if list[0] != list[1] {
			t.Errorf("%q:\n%s\nnet/http:\n%s", request, list[1], list[0])
		}
	}
}

// TestShortBody: a response that is shorter than its Content-Length ends with the
// connection, so that the client can't take anything else for the rest.
func TestShortBody(t *testing.T) {
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		put(w, "hello")
		if r.URL.Path == "/flush" {
			w.(http.Flusher).Flush()
		}
	}))
	for _, path := range []string{"/", "/flush"} {
		p := dial(t, s)
		p.send(get(path) + get(path))
		got, err := io.ReadAll(p.r)
		if err != nil || bytes.Count(got, []byte("HTTP/1.1")) != 1 || !bytes.HasSuffix(got, []byte("\r\n\r\nhello")) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestOldClient: a client of HTTP/1.0 gets no chunks, no hints, and no 100.
func TestOldClient(t *testing.T) {
	mux := http.NewServeMux()
	for _, name := range []string{"flushed", "hints", "trailers"} {
		mux.Handle("/"+name, behaviours[name])
	}
	s := startPool(t, mux)
	for path, want := range map[string]string{"/flushed": "one two", "/hints": "body", "/trailers": "body"} {
		short := path == "/hints" // its length is known
		p := dial(t, s)
		p.send("GET " + path + " HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n")
		r, content := p.response("GET")
		if content != want || r.TransferEncoding != nil || r.Close == short {
			t.Errorf("%s: %q, %v, close %v", path, content, r.TransferEncoding, r.Close)
		}
	}
	p := dial(t, s)
	p.send("GET /none HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
	if r, _ := p.response("GET"); !slices.Equal(r.Header["Connection"], []string{"keep-alive"}) {
		t.Errorf("Connection: %v", r.Header["Connection"])
	}
}

// TestFlushArrives: what is flushed is there before the handler has ended.
func TestFlushArrives(t *testing.T) {
	proceed := make(chan struct{})
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			put(w, i, "\n")
			w.(http.Flusher).Flush()
			<-proceed
		}
	}))
	resp, err := client(t).Get(s.url())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != itoa(i) {
			t.Fatalf("line %q, %v", lines.Text(), lines.Err())
		}
		proceed <- struct{}{}
	}
	if lines.Scan() {
		t.Errorf("another line: %q", lines.Text())
	}
}
