import { ApiError } from "./client";

/** The answer, or null where the server holds no such thing: a page then has something else to show than a failure. */
export async function orNull<T>(answered: Promise<T>): Promise<T | null> {
  try {
    return await answered;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
