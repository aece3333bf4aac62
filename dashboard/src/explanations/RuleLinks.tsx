import { Fragment } from "react";
import { Link } from "wouter";

/** Rules of the shop by their ids, as links to the page of rules. */
export function RuleLinks({ ids }: { ids: string[] }) {
  return ids.map((id, index) => (
    <Fragment key={id}>
      {index > 0 && ", "}
      <Link
        href={`/rules?rule=${encodeURIComponent(id)}`}
        className="rounded-sm font-medium break-all text-accent underline-offset-2 hover:underline"
      >
        {id}
      </Link>
    </Fragment>
  ));
}
