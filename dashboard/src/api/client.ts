/** The server's HTTP API, typed by its own OpenAPI document (`npm run api`). The dashboard knows nothing else of it. */

import createClient, { type Middleware } from "openapi-fetch";

import { apiKey } from "./apiKey";

import type { components, paths } from "./schema";

/** A type of the API by its name in the OpenAPI document. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** An answer that is an error, as the server's problem document tells it. Status 0: no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    /** Seconds until it may be tried again, where the server says so. */
    readonly retryAfterS: number | null = null,
  ) {
    super(detail);
    this.name = "ApiError";
  }
}

const withKey: Middleware = {
  onRequest({ request }) {
    const key = apiKey.get();
    if (key) request.headers.set("X-API-Key", key);
    return request;
  },
  onError() {
    return new ApiError(0, "");
  },
};

export const api = createClient<paths>({
  baseUrl: "",
  // Lists in queries repeat their name.
  querySerializer: { array: { style: "form", explode: true } },
});
api.use(withKey);

interface Result<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What an API call gives, or an ApiError thrown. */
export async function answer<T>(call: Promise<Result<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  throw problem(response, error);
}

function problem(response: Response, body: unknown): ApiError {
  const wait = Number(response.headers.get("Retry-After") ?? "");
  return new ApiError(response.status, detailOf(body) || response.statusText, wait > 0 ? wait : null);
}

function detailOf(body: unknown): string {
  if (typeof body === "object" && body !== null && "detail" in body) return String(body.detail);
  return "";
}

/** Whether asking again can help: not where the request itself is refused. */
export function worthRetrying(failures: number, error: Error): boolean {
  const status = error instanceof ApiError ? error.status : 0;
  return status === 503 && failures < 2;
}
