"""The Python client (nats-py) with the command line that all client programs of the benchmarks share."""

import argparse
import asyncio
import json
import resource
import ssl
import time

import nats


def usage():
    """User seconds, system seconds and the clock."""
    resources = resource.getrusage(resource.RUSAGE_SELF)
    return resources.ru_utime, resources.ru_stime, time.monotonic()


def report(start, end, messages, latencies=()):
    ordered = sorted(latencies) or [0]
    print(
        json.dumps(
            {
                "messages": messages,
                "seconds": end[2] - start[2],
                "user": end[0] - start[0],
                "sys": end[1] - start[1],
                "p50_us": ordered[len(ordered) // 2] * 1e6,
                "p99_us": ordered[len(ordered) * 99 // 100] * 1e6,
            }
        )
    )


async def publish(client, options):
    payload = b"x" * options.size
    start = usage()
    for _ in range(options.count):
        await client.publish(options.subject, payload)
    await client.flush(30)
    report(start, usage(), options.count)


async def subscribe(client, options):
    done = asyncio.get_running_loop().create_future()
    received = [0, 0, 0.0]

    async def on_message(message):
        if received[0] == 0:
            received[2] = time.monotonic()
        received[0] += 1
        received[1] += len(message.data)
        if received[0] == options.count:
            done.set_result(usage())

    start = usage()
    await client.subscribe(options.subject, cb=on_message, pending_msgs_limit=-1, pending_bytes_limit=-1)
    await client.flush(30)
    print("READY", flush=True)
    end = await done
    if received[1] != options.count * options.size:
        raise SystemExit(f"{received[1]} bytes received")
    report((start[0], start[1], received[2]), end, options.count)


async def request(client, options):
    payload = b"x" * options.size
    latencies = []
    numbers = iter(range(options.count))

    async def worker():
        for _ in numbers:
            start = time.monotonic()
            reply = await client.request(options.subject, payload, timeout=10)
            latencies.append(time.monotonic() - start)
            if len(reply.data) != options.size:
                raise SystemExit("wrong reply")

    start = usage()
    await asyncio.gather(*(worker() for _ in range(options.in_flight)))
    report(start, usage(), options.count, latencies)


async def once(client, options):
    await client.publish(options.subject, b"hello")
    await client.flush(10)


async def main():
    parser = argparse.ArgumentParser()
    modes = {"publish": publish, "subscribe": subscribe, "request": request, "once": once}
    parser.add_argument("--mode", choices=modes, required=True)
    parser.add_argument("--url", default="nats://127.0.0.1:4222")
    parser.add_argument("--subject", default="bench.stream0")
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--ca")
    options = parser.parse_args()
    more = {"tls": ssl.create_default_context(cafile=options.ca)} if options.ca else {}
    client = await nats.connect(options.url, **more)
    await modes[options.mode](client, options)
    await client.close()


asyncio.run(main())
