// Probe is the program of the tests' own pods: it serves a folder, fetches an address, and reads
// and writes files, in an image that holds nothing else.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

const usage = `probe serve PORT FOLDER | get URL | read FILE | write FILE TEXT | sleep SECONDS`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	switch {
	case len(words) == 3 && words[0] == "serve":
		return http.ListenAndServe(":"+words[1], http.FileServer(http.Dir(words[2])))
	case len(words) == 2 && words[0] == "get":
		return get(words[1])
	case len(words) == 2 && words[0] == "read":
		content, err := os.ReadFile(words[1])
		if err == nil {
			_, err = os.Stdout.Write(content)
		}
		return err
	case len(words) == 3 && words[0] == "write":
		return os.WriteFile(words[1], []byte(words[2]), 0o644)
	case len(words) == 2 && words[0] == "sleep":
		seconds, err := strconv.Atoi(words[1])
		time.Sleep(time.Duration(seconds) * time.Second)
		return err
	}
	return fmt.Errorf("usage: %s", usage)
}

func get(address string) error {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, response.Status)
	}
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}
