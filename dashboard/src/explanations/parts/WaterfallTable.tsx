import { t } from "@/strings/en";

import { groupLabel } from "../labels";
import type { Waterfall } from "../waterfall";
import { shown, signed } from "./waterfallNumbers";

/** The numbers of the chart for who cannot see its bars. */
export function WaterfallTable({ chart, startLabel }: { chart: Waterfall; startLabel: string }) {
  const sums = chart.steps.map((_, index) =>
    chart.steps.slice(0, index + 1).reduce((sum, { units }) => sum + units, chart.startUnits),
  );
  return (
    <div className="sr-only">
      <table>
        <caption>{t.why.chart.table}</caption>
        <thead>
          <tr>
            <th scope="col">{t.why.chart.group}</th>
            <th scope="col">{t.why.chart.change}</th>
            <th scope="col">{t.why.chart.after}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{startLabel}</th>
            <td />
            <td>{shown(chart.startUnits, chart)}</td>
          </tr>
          {chart.steps.map(({ group, value, units }, index) => (
            <tr key={group}>
              <th scope="row">{groupLabel(group)}</th>
              <td>
                {signed(units, chart)} {value > 0 ? t.why.chart.raises : t.why.chart.lowers}
              </td>
              <td>{shown(sums[index] ?? 0, chart)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">{t.why.chart.end}</th>
            <td />
            <td>{shown(chart.endUnits, chart)}</td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}
