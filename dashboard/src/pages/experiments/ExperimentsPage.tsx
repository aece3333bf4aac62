import { useUrlState } from "@/lib/urlState";

import { ExperimentView } from "./ExperimentView";
import { FormView } from "./FormView";
import { ListView } from "./ListView";
import { LIST } from "./view";

export default function ExperimentsPage() {
  const [view, setView] = useUrlState(LIST);
  if (view.new || view.edit) return <FormView key={view.edit} view={view} setView={setView} />;
  if (view.experiment)
    return <ExperimentView key={view.experiment} name={view.experiment} setView={setView} />;
  return <ListView />;
}
