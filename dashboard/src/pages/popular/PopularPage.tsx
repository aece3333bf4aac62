import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function PopularPage() {
  return <PageHeading title={t.popular.title} />;
}
