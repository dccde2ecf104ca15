"""What each page shows: from services to the values that its template prints."""
