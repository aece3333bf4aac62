import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { ItemImage } from "./ItemImage";

afterEach(cleanup);

const queries = new QueryClient();
queries.setQueryData(["ui-settings"], { image_hosts: [], currency: null });

const picture = (image: string) => (
  <QueryClientProvider client={queries}>
    <ItemImage image={image} categories={["Tea"]} />
  </QueryClientProvider>
);

test("a picture that fails gives way to its category's letter, the next item's is tried", () => {
  const { container, rerender } = render(picture("/gone.jpg"));
  const image = container.querySelector("img");
  expect(image?.getAttribute("src")).toBe("/gone.jpg");
  if (image) fireEvent.error(image);
  expect(container.textContent).toBe("T");
  rerender(picture("/there.jpg"));
  expect(container.querySelector("img")?.getAttribute("src")).toBe("/there.jpg");
});

test.each([
  "javascript:alert(1)",
  "data:image/svg+xml,<svg onload=alert(1)>",
  "https://evil.example/a.png",
  "//evil.example/a",
  "\\\\evil.example\\a",
])("%s is never loaded", (image) => {
  const { container } = render(picture(image));
  expect(container.querySelector("img")).toBeNull();
});
