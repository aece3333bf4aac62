import { expect, test } from "vitest";

import { ApiError } from "./client";
import { orNull } from "./notFound";

test("what the server does not hold is null, any other failure stays one", async () => {
  await expect(orNull(Promise.resolve(3))).resolves.toBe(3);
  await expect(orNull(Promise.reject(new ApiError(404, "none")))).resolves.toBeNull();
  const failure = new ApiError(503, "busy");
  await expect(orNull(Promise.reject(failure))).rejects.toBe(failure);
});
