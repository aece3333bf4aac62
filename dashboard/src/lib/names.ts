/** Several names in one part of an address: divided by commas, which within a name are encoded, as the percent sign is. */

export function packNames(names: readonly string[]): string {
  return names.map((name) => name.replace(/[%,]/g, encodeURIComponent)).join(",");
}

export function unpackNames(text: string): string[] {
  return text.split(",").filter(Boolean).map(decoded);
}

/** An address that a person has typed may hold anything. */
function decoded(text: string): string {
  return text.replace(/%(25|2C)/gi, decodeURIComponent);
}
