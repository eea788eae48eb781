/** A fault that is put in on purpose, and the test that must fail by it. */
export interface Mutation {
  readonly what: string;
  readonly file: string;
  /** The text to replace, which occurs once in the file, and its replacement. */
  readonly from: string;
  readonly to: string;
  readonly test: string;
  /** Text in the names of the tests to run; empty: all tests of the file. */
  readonly only: string;
}
