import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test } from "vitest";

import { useChange } from "./useChange";

afterEach(cleanup);

function Around({ children }: { children: ReactNode }) {
  return <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>;
}

test("a double click tells the server once, and what follows the answer is told again", async () => {
  const told: string[] = [];
  const answers: (() => void)[] = [];
  const tell = (what: string) => {
    told.push(what);
    return new Promise<string>((resolve, reject) => {
      answers.push(() => {
        if (what === "bad") reject(new Error("refused"));
        else resolve(what);
      });
    });
  };
  const { result } = renderHook(() => useChange({ tell }), { wrapper: Around });
  const click = (what: string) => {
    act(() => {
      result.current.mutate(what);
      result.current.mutate(what);
    });
  };
  click("bad");
  await waitFor(() => {
    expect(told).toEqual(["bad"]);
  });
  act(() => answers[0]?.());
  await waitFor(() => {
    expect(result.current.error?.message).toBe("refused");
  });
  click("good");
  await waitFor(() => {
    expect(told).toEqual(["bad", "good"]);
  });
  act(() => answers[1]?.());
  await waitFor(() => {
    expect(result.current.data).toBe("good");
  });
});
