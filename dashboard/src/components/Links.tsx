import type { ReactNode } from "react";
import { Link } from "wouter";

const LOOK = "rounded-sm underline-offset-2 hover:underline";

/** Addresses of pages. Ids are in queries, since they may be any text. */
export const pathOf = {
  recommendations: (userId: string) => `/?user=${encodeURIComponent(userId)}`,
  user: (userId: string) => `/user?id=${encodeURIComponent(userId)}`,
  item: (itemId: string) => `/item?id=${encodeURIComponent(itemId)}`,
  /** The editor of a rule that begins so. */
  newRule: (begin: { action: string; item?: string; brand?: string }) =>
    `/rules?${new URLSearchParams({ new: "1", ...begin }).toString()}`,
  /** Items of a brand or a category. */
  items: (filters: { brand?: string; category?: string }) =>
    `/items?${new URLSearchParams(filters).toString()}`,
};

interface Props {
  id: string;
  /** The id where there is nothing better. */
  children?: ReactNode;
  className?: string;
}

export function ItemLink({ id, children = id, className = "" }: Props) {
  return (
    <Link href={pathOf.item(id)} className={`${LOOK} ${className}`}>
      {children}
    </Link>
  );
}

export function UserLink({ id, children = id, className = "" }: Props) {
  return (
    <Link href={pathOf.user(id)} className={`${LOOK} ${className}`}>
      {children}
    </Link>
  );
}
