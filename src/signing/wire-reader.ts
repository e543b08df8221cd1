/** Bytes that are not what RFC 4251 and its descendants say. The message is one clause: `expected <x>, found <y>`. */
export class WireFault extends Error {
  override readonly name = 'WireFault';
}

/** Reads the data types of SSH (RFC 4251, 5) from hostile bytes, each with a cap; a fault is a `WireFault`. */
export class WireReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fixed(length: number, what: string): Buffer {
    const left = this.#bytes.length - this.#position;
    if (length > left) throw new WireFault(`expected ${length} bytes of ${what}, found ${left}`);
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  byte(what: string): number {
    return this.fixed(1, what).readUInt8();
  }

  uint32(what: string): number {
    return this.fixed(4, what).readUInt32BE();
  }

  string(what: string, maximumBytes: number): Buffer {
    const length = this.uint32(`the length of ${what}`);
    if (length > maximumBytes)
      throw new WireFault(`expected ${what} of at most ${maximumBytes} bytes, found ${length}`);
    return this.fixed(length, what);
  }

  /** A string that may hold printable ASCII only, as all names of the protocol do. */
  text(what: string, maximumBytes: number): string {
    const text = this.string(what, maximumBytes).toString('latin1');
    if (!/^[\x20-\x7e]*$/.test(text)) throw new WireFault(`expected ${what} in printable ASCII, found other bytes`);
    return text;
  }

  /** A positive number in its only form: no leading zero byte but the one that keeps it positive. */
  positiveInteger(what: string, maximumBytes: number): Buffer {
    const bytes = this.string(what, maximumBytes + 1);
    const [first = 0, second = 0] = bytes;
    const padded = bytes.length > 1 && first === 0 && second >= 0x80;
    if (!padded && (first === 0 || first >= 0x80)) throw new WireFault(`expected ${what} as a positive number`);
    const digits = padded ? bytes.subarray(1) : bytes;
    if (digits.length > maximumBytes) throw new WireFault(`expected ${what} of at most ${maximumBytes} bytes`);
    return digits;
  }

  end(what: string): void {
    const left = this.#bytes.length - this.#position;
    if (left > 0) throw new WireFault(`expected the end of ${what}, found ${left} more bytes`);
  }
}
