/** A rating from 0 to 5 as stars; null for one of another scale. */
export function starsOf(rating: number): string | null {
  if (rating < 0 || rating > 5) return null;
  const full = Math.round(rating);
  return "★".repeat(full) + "☆".repeat(5 - full);
}
