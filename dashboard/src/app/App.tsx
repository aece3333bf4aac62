import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useEffect } from "react";
import { Route, Router, Switch, useLocation } from "wouter";

import { apiKey } from "@/api/apiKey";
import { worthRetrying } from "@/api/client";
import { Announcer } from "@/components/Announcer";
import { PageSkeleton } from "@/components/Skeleton";

import { Boundary } from "./Boundary";
import { Layout } from "./Layout";
import { NotFound } from "./NotFound";
import { pages } from "./pages";
import { useScrollMemory } from "./scrollMemory";

const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: worthRetrying, staleTime: 15_000, refetchOnWindowFocus: false, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});

export function App() {
  // Another key may see more, or less.
  useEffect(() => apiKey.subscribe(() => void queries.resetQueries()), []);
  return (
    <QueryClientProvider client={queries}>
      <Router base="/ui">
        <Announcer />
        <Layout>
          <Pages />
        </Layout>
      </Router>
    </QueryClientProvider>
  );
}

function Pages() {
  useScrollMemory();
  const [path] = useLocation();
  return (
    // A page that broke does not keep the next one from being shown.
    <Boundary key={path}>
      <Suspense fallback={<PageSkeleton />}>
        <Switch>
          {pages.map(({ path: at, component }) => (
            <Route key={at} path={at} component={component} />
          ))}
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </Boundary>
  );
}
