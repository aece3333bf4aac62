/**
 * The evaluation's page, shown in a frame that runs nothing.
 *
 * The page's Content-Security-Policy holds in the frame, too, and lets no styles through that a document brings with
 * it. Styles that are set by the object model are not concerned: what the report says of its looks is taken out of its
 * text before that is read, and given to the frame so. Nothing of the policy has to be loosened for that.
 */

const MARK = "data-style";

/** Puts a report into an empty document of the same origin. */
export function showReport(frame: Document, html: string): void {
  const view = frame.defaultView;
  if (!view) return;
  const { text, sheets } = withoutStyles(html);
  const report = new DOMParser().parseFromString(text, "text/html");
  for (const element of report.querySelectorAll("script, link, base, meta")) element.remove();
  frame.documentElement.lang = report.documentElement.lang;
  frame.title = report.title;
  frame.body.replaceChildren(...[...report.body.childNodes].map((node) => frame.importNode(node, true)));
  for (const element of frame.querySelectorAll<HTMLElement | SVGElement>(`[${MARK}]`)) {
    element.style.cssText = element.getAttribute(MARK) ?? "";
    element.removeAttribute(MARK);
  }
  const sheet = new (view as Window & typeof globalThis).CSSStyleSheet();
  sheet.replaceSync(sheets.join("\n"));
  frame.adoptedStyleSheets = [sheet];
}

/** A page whose elements say their styles in an attribute that means nothing, and its style sheets. */
export function withoutStyles(html: string): { text: string; sheets: string[] } {
  const sheets: string[] = [];
  const text = html
    .replace(/<style\b[^>]*>(.*?)<\/style\s*>/gis, (_, sheet: string) => {
      sheets.push(sheet);
      return "";
    })
    .replace(/(<[a-z][^<>]*?\s)style=(?=")/gi, `$1${MARK}=`);
  return { text, sheets };
}
