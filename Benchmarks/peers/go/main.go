// The Go client (nats.go) with the command line that all client programs of the benchmarks share.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

var (
	mode     = flag.String("mode", "publish", "publish, subscribe, pending, request, once, lines-in or lines-out")
	url      = flag.String("url", "nats://127.0.0.1:4222", "server")
	subject  = flag.String("subject", "bench.stream0", "subject")
	size     = flag.Int("size", 16, "bytes of a payload")
	count    = flag.Int("count", 1000000, "messages")
	ca       = flag.String("ca", "", "PEM file of who signed the server's certificate")
	inFlight = flag.Int("in-flight", 1, "requests at a time")
)

type usage struct {
	user, system float64
	wall         time.Time
	mallocs      uint64
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func takeUsage() usage {
	var resources syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &resources))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return usage{seconds(resources.Utime), seconds(resources.Stime), time.Now(), 0}
}

func mallocs() uint64 {
	var statistics runtime.MemStats
	runtime.ReadMemStats(&statistics)
	return statistics.Mallocs
}

func resident() int64 {
	var total, pages int64
	file, err := os.Open("/proc/self/statm")
	check(err)
	defer file.Close()
	_, err = fmt.Fscan(file, &total, &pages)
	check(err)
	return pages * int64(os.Getpagesize())
}

func report(from, to usage, allocations uint64, p50, p99 time.Duration) {
	fmt.Printf("{\"messages\":%d,\"seconds\":%.6f,\"user\":%.6f,\"sys\":%.6f,\"p50_us\":%.2f,\"p99_us\":%.2f,"+
		"\"allocations_per_message\":%.3f}\n",
		*count, to.wall.Sub(from.wall).Seconds(), to.user-from.user, to.system-from.system,
		float64(p50.Nanoseconds())/1e3, float64(p99.Nanoseconds())/1e3, float64(allocations)/float64(*count))
}

func payload() []byte {
	bytes := make([]byte, *size)
	for i := range bytes {
		bytes[i] = 'x'
	}
	return bytes
}

func publish(nc *nats.Conn) {
	data := payload()
	before := mallocs()
	from := takeUsage()
	for i := 0; i < *count; i++ {
		check(nc.Publish(*subject, data))
	}
	check(nc.FlushTimeout(30 * time.Second))
	to := takeUsage()
	report(from, to, mallocs()-before, 0, 0)
}

func subscribe(nc *nats.Conn) {
	done := make(chan usage, 1)
	received, bytes, xor := 0, 0, byte(0)
	var first time.Time
	before := mallocs()
	from := takeUsage()
	sub, err := nc.Subscribe(*subject, func(message *nats.Msg) {
		if received == 0 {
			first = time.Now()
		}
		received++
		bytes += len(message.Data)
		xor ^= message.Data[0]
		if received == *count {
			done <- takeUsage()
		}
	})
	check(err)
	check(sub.SetPendingLimits(-1, -1))
	check(nc.FlushTimeout(30 * time.Second))
	fmt.Println("READY")
	to := <-done
	if bytes != *count**size {
		check(fmt.Errorf("%d bytes received", bytes))
	}
	from.wall = first
	report(from, to, mallocs()-before, 0, 0)
}

// Memory of messages that nobody takes.
func pending(nc *nats.Conn) {
	release := make(chan struct{})
	defer close(release)
	sub, err := nc.Subscribe(*subject, func(message *nats.Msg) { <-release })
	check(err)
	check(sub.SetPendingLimits(-1, -1))
	check(nc.FlushTimeout(30 * time.Second))
	before := resident()
	fmt.Println("READY")
	for {
		waiting, _, err := sub.Pending()
		check(err)
		if waiting >= *count-1 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	after := resident()
	fmt.Printf("{\"messages\":%d,\"rss_before\":%d,\"rss\":%d,\"bytes_per_message\":%.1f}\n",
		*count, before, after, float64(after-before)/float64(*count))
}

func request(nc *nats.Conn) {
	data := payload()
	latency := make([]time.Duration, *count)
	var next int64 = -1
	var group sync.WaitGroup
	before := mallocs()
	from := takeUsage()
	for i := 0; i < *inFlight; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				index := atomic.AddInt64(&next, 1)
				if index >= int64(*count) {
					return
				}
				start := time.Now()
				reply, err := nc.Request(*subject, data, 10*time.Second)
				check(err)
				latency[index] = time.Since(start)
				if len(reply.Data) != *size {
					check(fmt.Errorf("wrong reply"))
				}
			}
		}()
	}
	group.Wait()
	to := takeUsage()
	allocations := mallocs() - before
	sort.Slice(latency, func(i, j int) bool { return latency[i] < latency[j] })
	report(from, to, allocations, latency[*count/2], latency[*count*99/100])
}

// A message of every line of standard input, as a tool would do it.
func linesIn(nc *nats.Conn) {
	lines := bufio.NewScanner(bufio.NewReaderSize(os.Stdin, 64*1024))
	for lines.Scan() {
		check(nc.Publish(*subject, lines.Bytes()))
	}
	check(lines.Err())
	check(nc.FlushTimeout(60 * time.Second))
}

// A line of every message, as a tool would do it: blocks while more is waiting, else at once.
func linesOut(nc *nats.Conn) {
	sub, err := nc.SubscribeSync(*subject)
	check(err)
	check(sub.SetPendingLimits(-1, -1))
	check(nc.FlushTimeout(30 * time.Second))
	output := bufio.NewWriterSize(os.Stdout, 64*1024)
	for received := 0; received < *count; received++ {
		message, err := sub.NextMsg(60 * time.Second)
		check(err)
		_, err = output.Write(message.Data)
		check(err)
		check(output.WriteByte('\n'))
		if waiting, _, _ := sub.Pending(); waiting == 0 {
			check(output.Flush())
		}
	}
	check(output.Flush())
}

func main() {
	flag.Parse()
	if *size < 1 || *count < 1 || *inFlight < 1 {
		os.Exit(2)
	}
	var options []nats.Option
	if *ca != "" {
		options = append(options, nats.RootCAs(*ca))
	}
	nc, err := nats.Connect(*url, options...)
	check(err)
	switch *mode {
	case "publish":
		publish(nc)
	case "subscribe":
		subscribe(nc)
	case "pending":
		pending(nc)
	case "request":
		request(nc)
	case "lines-in":
		linesIn(nc)
	case "lines-out":
		linesOut(nc)
	case "once":
		check(nc.Publish(*subject, []byte("hello")))
		check(nc.FlushTimeout(10 * time.Second))
	default:
		os.Exit(2)
	}
	nc.Close()
}
