import { expect, test } from "vitest";

import { withoutStyles } from "./reportDocument";

test("styles are taken out of a page, and nothing else", () => {
  const { text, sheets } = withoutStyles(
    '<head><style>a > b { color: red }</style></head><p class="x"\nstyle="fill: var(--ink)">The word style="x" stays.</p>' +
      '<svg><style type="text/css">*{stroke: none}</style><g id="a" style="opacity: 0"/></svg>',
  );
  expect(sheets).toEqual(["a > b { color: red }", "*{stroke: none}"]);
  expect(text).toBe(
    '<head></head><p class="x"\ndata-style="fill: var(--ink)">The word style="x" stays.</p><svg><g id="a" data-style="opacity: 0"/></svg>',
  );
});
