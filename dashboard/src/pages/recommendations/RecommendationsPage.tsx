import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function RecommendationsPage() {
  return <PageHeading title={t.recommendations.title} />;
}
