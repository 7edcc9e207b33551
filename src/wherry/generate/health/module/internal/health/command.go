package health

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Command asks the server of this program, at the address that it listens on, whether it is alive. It returns the exit status
// for a HEALTHCHECK: 0 or 1, as Docker keeps 2 for itself. Standard error says why it is 1.
func Command(address string) int {
	if err := ask(address, LivePath, CommandTimeout); err != nil {
		fmt.Fprintln(os.Stderr, "health:", err)
		return 1
	}
	return 0
}

// ask sends one GET, by itself: no proxy, no redirect and no name service stands between the program and itself.
func ask(address, path string, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	address, err := reachable(address)
	if err != nil {
		return err
	}
	conn, err := dial(address, deadline)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	request := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}, Host: address, Close: true}
	if err := request.Write(conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, response.Status)
	}
	return nil
}

// reachable turns what a server listens on into what can be asked. 127.0.0.1, as localhost may be ::1, where nobody listens.
func reachable(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
