import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { api, ApiError } from "@/api/client";

import { canRecover, useServer } from "./useServer";

const NOW = new Date("2026-01-01T12:00:00Z");
const LOOK_MS = 5_100;
let ready: () => Promise<unknown>;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.spyOn(api, "GET").mockImplementation((() => ready()) as never);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const loaded = (version: string) => () =>
  Promise.resolve({ data: { bundle: { version } }, response: new Response() });
const away = () => Promise.reject(new ApiError(0, ""));

/** A page with one query beside the look at the server. */
function show(read: () => Promise<string>) {
  function Page() {
    useServer();
    const { data, error } = useQuery({
      queryKey: ["list"],
      queryFn: read,
      retry: false,
      staleTime: Infinity,
    });
    return <p>{error ? "failed" : data}</p>;
  }
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { networkMode: "always" } } })}>
      <Page />
    </QueryClientProvider>,
  );
}

const later = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test("what failed while the server was away is there again with the server", async () => {
  ready = away;
  let answers = 0;
  show(() => (answers++ === 0 ? Promise.reject(new ApiError(0, "")) : Promise.resolve("a list")));
  await later(LOOK_MS);
  expect(screen.getByText("failed")).toBeTruthy();
  expect(answers).toBe(1);
  ready = loaded("1");
  await later(LOOK_MS);
  expect(screen.getByText("a list")).toBeTruthy();
});

test("another bundle makes everything be read anew, the same one nothing", async () => {
  ready = loaded("1");
  let answers = 0;
  show(() => Promise.resolve(`list ${++answers}`));
  await later(3 * LOOK_MS);
  expect(screen.getByText("list 1")).toBeTruthy();
  ready = loaded("2");
  await later(LOOK_MS);
  expect(screen.getByText("list 2")).toBeTruthy();
});

const failed = (error: Error, secondsAgo: number) =>
  canRecover({
    state: { status: "error", error, errorUpdatedAt: NOW.getTime() - secondsAgo * 1000 },
  } as never);

test("refusals stay, and a wait that the server asked for is kept", () => {
  expect(failed(new ApiError(503, ""), 0)).toBe(true);
  expect(failed(new ApiError(503, "", 10), 9)).toBe(false);
  expect(failed(new ApiError(503, "", 10), 10)).toBe(true);
  for (const status of [401, 403, 404, 422, 429]) expect(failed(new ApiError(status, ""), 99)).toBe(false);
  expect(failed(new Error("a bug"), 99)).toBe(false);
});
