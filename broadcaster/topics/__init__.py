"""FCM topics kept in step with the registry, and the operator's choice to send by them."""
