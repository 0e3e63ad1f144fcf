package store

// FactsQuery is the query of every GET recording.
const FactsQuery = factsQuery
