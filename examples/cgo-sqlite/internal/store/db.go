// Package store opens the database.
package store

import (
	"database/sql"

	_ "github.com/mattn/go-sqlite3"
)

// Open opens the database at path.
func Open(path string) (*sql.DB, error) { return sql.Open("sqlite3", path) }
