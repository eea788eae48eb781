import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import snappy from "kafkajs-snappy";
import lz4 from "lz4js";

/** A compression codec as kafkajs takes it. kafkajs has gzip alone, but producers may use any of Kafka's codecs. */
interface CompressionCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

export const snappyCodec = snappy as () => CompressionCodec;

export const lz4Codec = (): CompressionCodec => ({
  compress: ({ buffer }) => Promise.resolve(Buffer.from(lz4.compress(buffer))),
  decompress: (bytes) => Promise.resolve(Buffer.from(lz4.decompress(bytes))),
});

export const zstdCodec = (): CompressionCodec => ({
  compress: ({ buffer }) => Promise.resolve(zstdCompressSync(buffer)),
  decompress: (bytes) => Promise.resolve(zstdDecompressSync(bytes)),
});
