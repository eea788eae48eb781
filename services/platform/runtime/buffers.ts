/** Wraps bytes as a Buffer, without copying them; null stays null. */
export const asBuffer = <Bytes extends Uint8Array | null>(bytes: Bytes): Bytes extends null ? null : Buffer =>
  (bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as never;
