/** In Node since 22, not yet in TypeScript's library. */
interface JSON {
  rawJSON(text: string): unknown;
}
