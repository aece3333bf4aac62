import { useMutation, type UseMutationOptions, type UseMutationResult } from "@tanstack/react-query";
import { useCallback, useRef } from "react";

/** Something told to the server. As long as it is on its way it is not told again: a double click counts once. */
export function useChange<Data, Told = void>(
  options: Omit<UseMutationOptions<Data, Error, Told>, "mutationFn"> & {
    tell: (told: Told) => Promise<Data>;
  },
): UseMutationResult<Data, Error, Told> {
  const { tell, ...rest } = options;
  const underway = useRef(false);
  const mutation = useMutation<Data, Error, Told>({
    ...rest,
    mutationFn: async (told) => {
      try {
        return await tell(told);
      } finally {
        underway.current = false;
      }
    },
  });
  const { mutate } = mutation;
  const once = useCallback<typeof mutate>(
    (...told) => {
      // A button is disabled a moment after its click: by then the second one is there.
      if (underway.current) return;
      underway.current = true;
      mutate(...told);
    },
    [mutate],
  );
  return { ...mutation, mutate: once };
}
