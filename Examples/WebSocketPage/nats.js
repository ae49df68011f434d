// A small NATS client for browsers: publish, subscribe with queue groups, request. One file, no dependencies.
//
//     const nats = await NATS.connect("ws://127.0.0.1:8080");
//     nats.subscribe("greet.*", message => message.respond("hello " + message.text));
//     console.log((await nats.request("greet.joe", "")).text);

class NATS {
    static connect(url, options = {}) {
        return new Promise((resolve, reject) => {
            const client = new NATS(url, options);
            client.ready = () => resolve(client);
            client.failed = reject;
        });
    }

    constructor(url, options) {
        this.options = options;
        this.parts = [];
        this.waiting = 0;
        this.needed = 0;
        this.subscriptions = new Map();
        this.lastSid = 0;
        this.flushes = [];
        this.encoder = new TextEncoder();
        this.decoder = new TextDecoder();
        this.inbox = "_INBOX." + crypto.getRandomValues(new Uint32Array(4)).join("");
        this.socket = new WebSocket(url);
        this.socket.binaryType = "arraybuffer";
        this.socket.onmessage = event => this.received(new Uint8Array(event.data));
        this.socket.onclose = event => {
            this.failed(new Error(`closed: ${event.code} ${event.reason}`));
            this.onclose?.(event);
        };
    }

    publish(subject, payload = "", reply = "") {
        const bytes = typeof payload === "string" ? this.encoder.encode(payload) : payload;
        this.send(`PUB ${subject} ${reply ? reply + " " : ""}${bytes.length}\r\n`, bytes);
    }

    subscribe(subject, handler, queue = "") {
        const sid = String(++this.lastSid);
        this.subscriptions.set(sid, handler);
        this.send(`SUB ${subject} ${queue ? queue + " " : ""}${sid}\r\n`);
        return () => {
            this.subscriptions.delete(sid);
            this.send(`UNSUB ${sid}\r\n`);
        };
    }

    request(subject, payload = "", timeout = 2000) {
        return new Promise((resolve, reject) => {
            const reply = `${this.inbox}.${this.lastSid + 1}`;
            const unsubscribe = this.subscribe(reply, message => {
                clearTimeout(timer);
                unsubscribe();
                resolve(message);
            });
            const timer = setTimeout(() => {
                unsubscribe();
                reject(new Error("timeout"));
            }, timeout);
            this.publish(subject, payload, reply);
        });
    }

    // Resolves when the server has handled everything that was sent before.
    flush() {
        return new Promise(resolve => {
            this.flushes.push(resolve);
            this.send("PING\r\n");
        });
    }

    close() {
        this.socket.close(1000, "bye");
    }

    send(line, payload) {
        const head = this.encoder.encode(line);
        if (!payload) return this.socket.send(head);
        const bytes = new Uint8Array(head.length + payload.length + 2);
        bytes.set(head);
        bytes.set(payload, head.length);
        bytes.set([13, 10], head.length + payload.length);
        this.socket.send(bytes);
    }

    // Operations may straddle messages. What is not whole waits in parts until its end is there, so that no byte is copied
    // more than a few times, however large a message is and however small its parts are.
    received(bytes) {
        this.parts.push(bytes);
        this.waiting += bytes.length;
        // A payload ends after a number of bytes that is known, a line with a line feed.
        if (this.needed > 0 ? this.waiting < this.needed : bytes.indexOf(10) < 0) return;
        const buffer = this.joined();
        this.needed = 0;
        let start = 0;
        for (;;) {
            const end = buffer.indexOf(10, start);
            if (end < 0) break;
            const line = this.decoder.decode(buffer.subarray(start, end - 1));
            const words = line.split(/[ \t]+/);
            if (words[0].toUpperCase() !== "MSG") {
                start = end + 1;
                this.control(words[0].toUpperCase(), line);
                continue;
            }
            const payload = end + 1;
            const next = payload + Number(words[words.length - 1]) + 2;
            if (buffer.length < next) {
                this.needed = next - start;
                break;
            }
            start = next;
            this.deliver(words, buffer.slice(payload, next - 2));
        }
        this.parts = start < buffer.length ? [buffer.subarray(start)] : [];
        this.waiting = buffer.length - start;
    }

    joined() {
        if (this.parts.length === 1) return this.parts[0];
        const buffer = new Uint8Array(this.waiting);
        let end = 0;
        for (const part of this.parts) {
            buffer.set(part, end);
            end += part.length;
        }
        return buffer;
    }

    control(verb, line) {
        switch (verb) {
        case "INFO":
            this.info = JSON.parse(line.slice(5));
            if (this.isConnected) return;
            this.isConnected = true;
            this.send("CONNECT " + JSON.stringify({
                verbose: false, pedantic: false, lang: "page", version: "1", protocol: 1, ...this.options,
            }) + "\r\n");
            this.flush().then(this.ready);
            break;
        case "PING":
            this.send("PONG\r\n");
            break;
        case "PONG":
            this.flushes.shift()?.();
            break;
        case "-ERR":
            this.failed(new Error(line));
            this.onerror?.(line);
            break;
        }
    }

    deliver(words, data) {
        const reply = words.length > 4 ? words[3] : "";
        try {
            this.subscriptions.get(words[2])?.({
                subject: words[1],
                data,
                text: this.decoder.decode(data),
                respond: payload => reply && this.publish(reply, payload),
            });
        } catch (error) {
            // What one message leads to must not cost the next ones.
            reportError(error);
        }
    }
}
