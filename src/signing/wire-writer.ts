/** The data types of SSH (RFC 4251, 5) as bytes. */

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function wireString(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}

/** A positive number, given by its big-endian digits. */
export function wirePositiveInteger(digits: Uint8Array): Buffer {
  const firstDigit = digits.findIndex((digit) => digit !== 0);
  const significant = firstDigit < 0 ? Buffer.alloc(0) : digits.subarray(firstDigit);
  const sign = (significant[0] ?? 0) >= 0x80 ? Buffer.alloc(1) : Buffer.alloc(0);
  return wireString(Buffer.concat([sign, significant]));
}
