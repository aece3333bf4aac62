import { useEffect } from "react";

import { apiKey } from "./apiKey";

/** What was refused to one key says nothing of another: the refusal goes as soon as a key is typed in. */
export function useForgetRefusal(reset: () => void): void {
  useEffect(() => apiKey.subscribe(reset), [reset]);
}
