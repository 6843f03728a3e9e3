"""The figures in the shapes that others read: tables for offices, statisticians and analysts, all of one cube."""
