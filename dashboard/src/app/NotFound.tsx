import { Link } from "wouter";

import { EmptyState } from "@/components/EmptyState";
import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export function NotFound() {
  return (
    <>
      <PageHeading title={t.notFound.title} />
      <EmptyState title={t.notFound.text}>
        <Link href="/" className="text-accent underline">
          {t.notFound.home}
        </Link>
      </EmptyState>
    </>
  );
}
