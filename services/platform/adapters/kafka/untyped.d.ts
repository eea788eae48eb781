// Types for the used parts of packages that have none.
declare module "kafkajs-snappy" {
  const codec: unknown;
  export default codec;
}
declare module "lz4js" {
  const lz4: {
    compress(bytes: Uint8Array): Uint8Array;
    decompress(bytes: Uint8Array): Uint8Array;
  };
  export default lz4;
}
