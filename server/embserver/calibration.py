"""Texts of the kinds that are searched and indexed: from them int8 learns which channels of a model are large.

They do not change without need: vectors in int8 depend on them in the third digit.
"""

__all__ = ["TEXTS"]

TEXTS = (
    "where is the configuration file read?",
    "how are failed requests retried, and how often",
    "test",
    """def retry(call, attempts=3, delay=0.5):
    \"\"\"Call until it succeeds; the last error is raised.\"\"\"
    for attempt in range(attempts):
        try:
            return call()
        except ConnectionError:
            if attempt == attempts - 1:
                raise
            time.sleep(delay * 2**attempt)
""",
    """export async function fetchUser(id: string): Promise<User | null> {
  const response = await fetch(`${BASE_URL}/users/${encodeURIComponent(id)}`)
  if (response.status === 404) return null
  return (await response.json()) as User
}
""",
    """func (s *Server) handleUpload(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("file")
	if err != nil {
		http.Error(w, "missing file", http.StatusBadRequest)
		return
	}
	defer file.Close()
""",
    """impl<T: Ord> Heap<T> {
    pub fn pop(&mut self) -> Option<T> {
        let last = self.items.len().checked_sub(1)?;
        self.items.swap(0, last);
        self.items.pop()
    }
}
""",
    """std::optional<Value> LruCache<Key, Value>::get(const Key& key) {
    std::lock_guard<std::mutex> guard(mutex_);
    auto found = index_.find(key);
    return found == index_.end() ? std::nullopt : found->second->second;
}
""",
    """@PostMapping
public ResponseEntity<OrderDto> create(@Valid @RequestBody NewOrder body, Principal user) {
    return ResponseEntity.ok(OrderDto.of(orders.place(body, user.getName())));
}
""",
    """CREATE TABLE payments (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE RESTRICT,
    amount      NUMERIC(12, 2) NOT NULL CHECK (amount > 0)
);
SELECT customer_id, sum(amount) FROM payments GROUP BY 1 ORDER BY 2 DESC;
""",
    """services:
  database:
    image: postgres:17
    volumes: [data:/var/lib/postgresql/data]
""",
    """## Installation

Install the package, then run the migrations. The server listens on port 8080; see `docs/settings.md`.
""",
)
