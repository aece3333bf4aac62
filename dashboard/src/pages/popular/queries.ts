import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/api/client";

import type { Asked } from "./asked";

export function usePopular(asked: Asked) {
  return useQuery({
    queryKey: ["popular", asked],
    queryFn: ({ signal }) => answer(api.GET("/items/popular", { params: { query: asked }, signal })),
    placeholderData: keepPreviousData,
  });
}
