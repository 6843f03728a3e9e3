"""On what terms an activity's places are given: first come or chosen, quotas, guests, questions, waiting."""
