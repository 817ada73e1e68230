// Client asks the telegram server what is on its command line, and prints the
// answers.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir/example/customprotocol/telegram"
)

func main() {
	addr := flag.String("addr", "localhost:1833", "address of the server")
	flag.Parse()

	c, err := net.Dial("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	var request []byte
	for _, question := range flag.Args() {
		if len(question) > telegram.MaxText {
			log.Fatalf("a question has at most %d bytes", telegram.MaxText)
		}
		request = telegram.Append(request, telegram.Ask, question)
	}
	if _, err := c.Write(request); err != nil {
		log.Fatal(err)
	}
	r := bufio.NewReader(c)
	for _, question := range flag.Args() {
		kind, text, err := read(r)
		if err != nil {
			log.Fatal(err)
		}
		if kind == telegram.Answer {
			fmt.Printf("%s: %s\n", question, text)
		}
	}
}

// read reads one telegram.
func read(r io.Reader) (telegram.Kind, string, error) {
	var header struct {
		Kind telegram.Kind
		Size uint16
	}
	if err := binary.Read(r, binary.BigEndian, &header); err != nil {
		return 0, "", err
	}
	text := make([]byte, header.Size)
	_, err := io.ReadFull(r, text)
	return header.Kind, string(text), err
}
