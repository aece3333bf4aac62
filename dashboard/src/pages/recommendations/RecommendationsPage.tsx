import { Card } from "@/components/Card";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { SkeletonCards } from "@/components/Skeleton";
import { listRequest, type ListRequest } from "@/lib/listRequest";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { Filters } from "./Filters";
import { ListView } from "./ListView";
import { useList } from "./queries";
import { Session } from "./Session";
import { Settings } from "./Settings";
import { Start } from "./Start";
import { DEFAULTS, isVisitor, type Change, type State } from "./state";
import { TwoLists } from "./TwoLists";
import { Who } from "./Who";

/** Whose list, which list, and the list. All of it is in the address. */
export default function RecommendationsPage() {
  const [state, change] = useUrlState(DEFAULTS);
  const request = listRequest(state);
  const visitor = isVisitor(state);
  return (
    <>
      <PageHeading title={t.recommendations.title} lead={t.recommendations.lead} />
      <div className="space-y-4">
        <Card>
          <div className="grid gap-x-6 gap-y-3 lg:grid-cols-[2fr_3fr]">
            <Who state={state} change={change} />
            <Settings state={state} change={change} />
          </div>
          <Filters state={state} change={change} />
        </Card>
        {visitor && <Session state={state} change={change} />}
        {!request && !visitor && <Start change={change} />}
        {request && !state.against && <OneList request={request} state={state} change={change} />}
        {request && state.against && <TwoLists request={request} state={state} change={change} />}
      </div>
    </>
  );
}

function OneList({ request, state, change }: { request: ListRequest; state: State; change: Change }) {
  const query = useList(request);
  return (
    <QueryView query={query} skeleton={<SkeletonCards />}>
      {(list) => (
        <ListView
          list={list}
          request={request}
          state={state}
          change={change}
          busy={query.isFetching}
          refresh={() => void query.refetch()}
        />
      )}
    </QueryView>
  );
}
