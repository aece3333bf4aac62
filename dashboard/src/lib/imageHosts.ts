/**
 * Whether a picture may be loaded, by the rules of Content-Security-Policy: where the server's policy forbids it, the
 * browser would say so in its console for every item.
 */
export function mayLoad(image: string, hosts: string[], page: URL): boolean {
  const url = asUrl(image, page);
  if (url === null) return false;
  if (url.origin === page.origin) return true;
  const secureEnough = url.protocol === "https:" || (url.protocol === "http:" && page.protocol === "http:");
  return secureEnough && hosts.some((host) => names(host, url.host));
}

function names(host: string, found: string): boolean {
  return host.startsWith("*.") ? found.endsWith(host.slice(1)) : found === host;
}

function asUrl(text: string, base: URL): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
