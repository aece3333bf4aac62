import { useQuery } from "@tanstack/react-query";

import { answer, api, type Schema } from "./client";

type Scope = Schema<"KeyResponse">["scopes"][number];

/** Whether the key of this tab, or none, may do that; null: not known yet, or the server does not say. */
export function useMay(scope: Scope): boolean | null {
  const { data } = useQuery({
    queryKey: ["key"],
    queryFn: ({ signal }) => answer(api.GET("/key", { signal })),
    staleTime: 60_000,
  });
  return data ? data.scopes.includes(scope) : null;
}
